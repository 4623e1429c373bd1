// Papers that mention a thing, oldest first, papers without a year last.
MATCH (p:Paper)-[m:MENTIONS]->(x:Method|Task|Dataset|Metric {id: $thing})
WHERE m.belief >= $min_belief
OPTIONAL MATCH (p)-[q:PROPOSES]->(x)
WHERE q.belief >= $min_belief
OPTIONAL MATCH (p)-[a:ADDRESSES]->(x)
WHERE a.belief >= $min_belief
WITH p, m, q, a, CASE WHEN p.year IS NULL THEN 1 ELSE 0 END AS undated
RETURN p.year AS year, p.id AS id, p.title AS title,
       CASE WHEN q.belief IS NOT NULL THEN 'proposes' WHEN a.belief IS NOT NULL THEN 'addresses' ELSE 'mentions' END AS event,
       coalesce(q.belief, a.belief, m.belief) AS belief, coalesce(q.evidence_text, a.evidence_text, m.evidence_text) AS passages
ORDER BY undated, year, id
