// Methods that are used for a task.
MATCH (method:Method)-[r:USED_FOR]->(:Task {id: $task})
WHERE r.belief >= $min_belief
RETURN method.id AS id, method.name AS name, r.belief AS belief, r.support AS support, r.background AS background,
       r.evidence_paper AS papers, r.evidence_text AS passages
ORDER BY support DESC, belief DESC, id
