// Kinds, instances and variants of a method.
MATCH (variant:Method)-[r:SUBCLASS_OF]->(:Method {id: $method})
WHERE r.belief >= $min_belief
RETURN variant.id AS id, variant.name AS name, r.belief AS belief, r.support AS support, r.background AS background,
       r.evidence_paper AS papers, r.evidence_text AS passages
ORDER BY support DESC, belief DESC, id
