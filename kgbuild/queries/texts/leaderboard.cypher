// Results on a dataset or for a task, one board after the other (dataset, metric, unit), the best figure of a board first.
// A parameter that is an empty string does not restrict. A board whose metric has no known direction is listed from the largest.
MATCH (p:Paper)-[r:REPORTS]->(x:Result)
WHERE x.kind = $kind AND r.belief >= $min_belief
MATCH (x)-[:RESULT_METRIC]->(k:Metric)
WHERE $wanted_metric = '' OR k.id = $wanted_metric
OPTIONAL MATCH (x)-[:RESULT_DATASET]->(d:Dataset)
OPTIONAL MATCH (x)-[:RESULT_TASK]->(t:Task)
OPTIONAL MATCH (x)-[:RESULT_METHOD]->(m:Method)
WITH p, r, x, k, d, t, m
WHERE ($wanted_dataset = '' OR coalesce(d.id, '') = $wanted_dataset) AND ($wanted_task = '' OR coalesce(t.id, '') = $wanted_task)
WITH p, r, x, k, d, t, m, CASE WHEN d.id IS NULL THEN 1 ELSE 0 END AS nowhere, coalesce(x.unit, '') AS measure,
     CASE WHEN x.number IS NULL THEN 1 ELSE 0 END AS unranked,
     CASE WHEN k.better = 'lower' THEN x.number ELSE 0.0 - x.number END AS place
RETURN m.id AS method, m.name AS method_name, x.value AS value, x.number AS number, x.unit AS unit,
       k.id AS metric, k.name AS metric_name, k.better AS better, d.id AS dataset, d.name AS dataset_name,
       t.id AS task, t.name AS task_name, p.id AS paper, p.title AS title, p.year AS year, r.belief AS belief,
       x.quote AS quote, x.id AS id
ORDER BY nowhere, dataset, metric, measure, unranked, place, id
