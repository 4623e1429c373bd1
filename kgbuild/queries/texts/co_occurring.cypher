// Things that stand in the same papers as a thing.
MATCH (:Method|Task|Dataset|Metric {id: $thing})<-[m:MENTIONS]-(p:Paper)
MATCH (p)-[n:MENTIONS]->(y:Method|Task|Dataset|Metric)
WHERE y.id <> $thing AND m.belief >= $min_belief AND n.belief >= $min_belief
RETURN y.id AS id, y.name AS name, count(DISTINCT p.id) AS together, collect(DISTINCT p.id) AS papers
ORDER BY together DESC, id
