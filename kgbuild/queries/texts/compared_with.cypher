// Methods that a method is compared with, in either direction; `ahead` counts the papers that favour the method asked about.
MATCH (:Method {id: $method})-[r:COMPARED_WITH]-(other:Method)
WHERE r.belief >= $min_belief
WITH DISTINCT other
OPTIONAL MATCH (:Method {id: $method})-[a:COMPARED_WITH]->(other)
WHERE a.belief >= $min_belief
OPTIONAL MATCH (other)-[b:COMPARED_WITH]->(:Method {id: $method})
WHERE b.belief >= $min_belief
WITH other, a, b, coalesce(a.belief, 0.0) AS there, coalesce(b.belief, 0.0) AS back
RETURN other.id AS id, other.name AS name, CASE WHEN there >= back THEN there ELSE back END AS belief,
       coalesce(a.support, 0) + coalesce(b.support, 0) AS support, coalesce(a.support, 0) AS ahead,
       coalesce(a.evidence_paper, []) + coalesce(b.evidence_paper, []) AS papers,
       coalesce(a.evidence_text, []) + coalesce(b.evidence_text, []) AS passages
ORDER BY support DESC, belief DESC, id
