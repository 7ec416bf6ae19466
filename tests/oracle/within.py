"""Questions with a level within one person, and those without a stored norm: measured by the same brute force."""

WITHIN = (
    "SELECT AVG(n), COUNT(*), SUM(n) FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id)",
    "SELECT p.sex, AVG(n) FROM (SELECT patient_id, LEAST(COUNT(*), 20) AS n FROM visits WHERE urgent GROUP BY 1) per "
    "JOIN patients p USING (patient_id) GROUP BY p.sex",
    "SELECT SUM(s), SUM(c), AVG(k), COUNT(*) FROM (SELECT patient_id, SUM(los_days) AS s, SUM(change) AS c, "
    "COUNT(DISTINCT dx) AS k FROM visits GROUP BY patient_id)",
    "SELECT SUM(LEAST(s, 30)) FROM (SELECT patient_id, SUM(los_days) AS s FROM visits GROUP BY patient_id)",
    "SELECT SUM(m), SUM(l) FROM (SELECT patient_id, MAX(los_days) AS m, MIN(change) AS l FROM visits GROUP BY 1)",
    "SELECT SUM(g) FROM (SELECT patient_id, GREATEST(LEAST(SUM(change), 7), -3) AS g FROM visits GROUP BY patient_id)",
    "SELECT SUM(r) FROM (SELECT patient_id, SUM(los_days) - 2 * COUNT(los_days) AS r FROM visits GROUP BY patient_id)",
    "WITH per AS (SELECT patient_id, COUNT(*) FILTER (WHERE dept = 'A') AS n FROM visits GROUP BY patient_id) "
    "SELECT n >= 2 AS often, COUNT(*), AVG(n) FROM per GROUP BY often",
    "WITH per AS (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY 1 HAVING COUNT(*) > 9 OR SUM(change) < 0) "
    "SELECT COUNT(DISTINCT patient_id), SUM(n) FROM per",
    "WITH per AS (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY 1) "
    "SELECT v.dept, COUNT(*), SUM(v.change) FROM visits v JOIN per USING (patient_id) WHERE n > 3 GROUP BY v.dept",
    "SELECT sex, AVG(COALESCE(n, 0)) FROM patients LEFT JOIN (SELECT v.patient_id, COUNT(*) AS n FROM diagnoses d "
    "JOIN visits v USING (visit_id) WHERE v.urgent GROUP BY v.patient_id) x USING (patient_id) GROUP BY sex",
    "SELECT YEAR(last) AS y, COUNT(*) FROM (SELECT patient_id, MAX(admitted_on) AS last FROM visits GROUP BY 1) "
    "GROUP BY y",
    "WITH a AS (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY 1), "
    "b AS (SELECT patient_id, COUNT(*) AS m FROM diagnoses GROUP BY 1) "
    "SELECT n, COUNT(*), SUM(m) FROM a JOIN b USING (patient_id) GROUP BY n",
    "SELECT AVG(most) FROM (SELECT patient_id, MAX(n) AS most FROM "
    "(SELECT patient_id, dept, COUNT(*) AS n FROM visits GROUP BY patient_id, dept) GROUP BY patient_id)",
    "SELECT band, COUNT(*) FROM (SELECT patient_id, CASE WHEN age < 40 THEN 'young' ELSE 'old' END AS band "
    "FROM patients) GROUP BY band",
    "SELECT SUM(m), AVG(m) FROM (SELECT patient_id, AVG(los_days) AS m FROM visits GROUP BY patient_id)",
    "SELECT sex, SUM(g) FROM patients LEFT JOIN (SELECT patient_id, AVG(change) FILTER (WHERE urgent) AS g FROM visits "
    "GROUP BY 1) x USING (patient_id) GROUP BY sex",
    "SELECT AVG(most) FROM (SELECT patient_id, MAX(s) AS most FROM (SELECT patient_id, SUM(change) OVER (PARTITION BY "
    "patient_id ORDER BY admitted_on ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s FROM visits) GROUP BY patient_id)",
    # no stored norm: rows made within one person, stacked, joined many to many
    "SELECT AVG(gap), COUNT(gap) FROM (SELECT patient_id, DATE_DIFF('day', LAG(admitted_on) OVER (PARTITION BY patient_id "
    "ORDER BY admitted_on), admitted_on) AS gap FROM visits)",
    "SELECT dept, COUNT(*) FROM (SELECT patient_id, dept, LEAST(ROW_NUMBER() OVER (PARTITION BY patient_id "
    "ORDER BY admitted_on), 3) AS n FROM visits) WHERE n = 1 GROUP BY dept",
    "SELECT SUM(r), COUNT(DISTINCT patient_id) FROM (SELECT patient_id, RANK() OVER (PARTITION BY patient_id, dept "
    "ORDER BY los_days DESC) AS r FROM visits WHERE urgent)",
    "SELECT SUM(w) FROM (SELECT patient_id, MAX(change) OVER (PARTITION BY patient_id) AS w FROM visits UNION ALL "
    "SELECT patient_id, age FROM patients)",
    "SELECT dx, COUNT(*), SUM(los_days), AVG(change), COUNT(DISTINCT patient_id) FROM "
    "(SELECT patient_id, dx, los_days, change FROM visits) GROUP BY dx",
    "SELECT code, COUNT(*), COUNT(DISTINCT patient_id) FROM (SELECT patient_id, dx AS code FROM visits UNION ALL "
    "SELECT patient_id, code FROM diagnoses) GROUP BY code",
    "SELECT SUM(x), AVG(x), COUNT(x) FROM (SELECT patient_id, fee AS x FROM visits UNION ALL "
    "SELECT patient_id, rank AS x FROM diagnoses UNION ALL SELECT patient_id, balance FROM patients)",
    "SELECT COUNT(*) FROM (SELECT patient_id FROM visits UNION ALL SELECT patient_id FROM visits)",
    "SELECT dept, AVG(n), COUNT(*), SUM(n) FROM (SELECT patient_id, dept, COUNT(*) AS n FROM visits GROUP BY 1, 2) "
    "GROUP BY dept",
    "SELECT dept, MEDIAN(los_days), VAR_POP(los_days) FROM (SELECT patient_id, dept, los_days FROM visits) GROUP BY 1",
    "SELECT p.sex, w.dx, COUNT(*) FROM (SELECT patient_id, dx FROM visits WHERE urgent) w "
    "JOIN patients p USING (patient_id) GROUP BY p.sex, w.dx",
    "SELECT COUNT(*), SUM(d.rank) FROM visits v JOIN diagnoses d USING (patient_id)",
    "SELECT v.dept, d.code, COUNT(*), SUM(v.los_days), AVG(d.rank) FROM visits v JOIN diagnoses d USING (patient_id) "
    "WHERE v.urgent AND d.rank > 1 GROUP BY 1, 2",
    "SELECT p.sex, COUNT(*), COUNT(DISTINCT p.patient_id) FROM patients p JOIN visits v USING (patient_id) "
    "JOIN diagnoses d ON d.patient_id = p.patient_id WHERE v.los_days > d.rank GROUP BY 1",
    "SELECT d.code, COUNT(DISTINCT v.patient_id), COUNT(v.los_days) FROM visits v JOIN diagnoses d "
    "ON v.patient_id = d.patient_id GROUP BY d.code",
    "SELECT v.urgent, COUNT(*), AVG(p.age), SUM(p.balance) FROM patients p LEFT JOIN visits v USING (patient_id) "
    "GROUP BY v.urgent",
    "SELECT a.dept, b.dept AS other, COUNT(*) FROM visits a JOIN visits b ON a.patient_id = b.patient_id "
    "GROUP BY a.dept, b.dept",
    "SELECT SUM(v.change * d.rank) FROM visits v JOIN diagnoses d USING (patient_id)",
    # stage 3: what is drawn for arithmetic, and under FILTER
    "SELECT dept, SUM(los_days) / COUNT(*) AS r, COUNT(*) FILTER (WHERE urgent) AS u FROM visits GROUP BY dept "
    "HAVING u > 2 ORDER BY r",
    "SELECT SUM(change) FILTER (WHERE urgent), AVG(los_days) FILTER (WHERE dx = 'I10') FROM visits",
    "SELECT 100 * SUM(n) / (COUNT(*) + 1) AS p FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY 1)",
)
