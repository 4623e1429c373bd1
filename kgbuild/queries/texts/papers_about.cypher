// Papers that mention a thing: those that propose it first, then those that address it, then those that name it most often.
MATCH (p:Paper)-[m:MENTIONS]->(x:Method|Task|Dataset|Metric {id: $thing})
WHERE m.belief >= $min_belief
OPTIONAL MATCH (p)-[q:PROPOSES]->(x)
WHERE q.belief >= $min_belief
OPTIONAL MATCH (p)-[a:ADDRESSES]->(x)
WHERE a.belief >= $min_belief
RETURN p.id AS id, p.title AS title, p.year AS year, coalesce(q.belief, 0.0) AS proposes, coalesce(a.belief, 0.0) AS addresses,
       m.belief AS belief, size(m.evidence_text) AS mentions,
       coalesce(q.evidence_text, a.evidence_text, m.evidence_text) AS passages
ORDER BY proposes DESC, addresses DESC, mentions DESC, id
