// Metrics by which a task, dataset or method is measured.
MATCH (:Task|Dataset|Method {id: $thing})-[r:MEASURED_BY]->(metric:Metric)
WHERE r.belief >= $min_belief
RETURN metric.id AS id, metric.name AS name, r.belief AS belief, r.support AS support, r.background AS background,
       r.evidence_paper AS papers, r.evidence_text AS passages
ORDER BY support DESC, belief DESC, id
