// Components, modules, steps and ingredients of a method.
MATCH (component:Method)-[r:PART_OF]->(:Method {id: $method})
WHERE r.belief >= $min_belief
RETURN component.id AS id, component.name AS name, r.belief AS belief, r.support AS support, r.background AS background,
       r.evidence_paper AS papers, r.evidence_text AS passages
ORDER BY support DESC, belief DESC, id
