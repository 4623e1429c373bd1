// Methods that were tested on a dataset.
MATCH (method:Method)-[r:EVALUATED_ON]->(:Dataset {id: $dataset})
WHERE r.belief >= $min_belief
RETURN method.id AS id, method.name AS name, r.belief AS belief, r.support AS support, r.background AS background,
       r.evidence_paper AS papers, r.evidence_text AS passages
ORDER BY support DESC, belief DESC, id
