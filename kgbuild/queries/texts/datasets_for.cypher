// Datasets that serve to train or test a task.
MATCH (dataset:Dataset)-[r:BENCHMARK_FOR]->(:Task {id: $task})
WHERE r.belief >= $min_belief
RETURN dataset.id AS id, dataset.name AS name, r.belief AS belief, r.support AS support, r.background AS background,
       r.evidence_paper AS papers, r.evidence_text AS passages
ORDER BY support DESC, belief DESC, id
