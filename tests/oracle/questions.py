"""Questions of every shape the grammar has, over the small dataset: measured by the brute-force tests."""

from tests.oracle.within import WITHIN

ANSWERED = (
    "SELECT COUNT(*) FROM visits",
    "SELECT dept, COUNT(*) FROM visits GROUP BY dept",
    "SELECT dept, COUNT(*) FROM visits WHERE los_days > 3 OR fee IS NULL GROUP BY dept",
    "SELECT ward, COUNT(*) FROM visits GROUP BY ward",
    "SELECT dept, dx, COUNT(*), COUNT(los_days) FROM visits GROUP BY dept, dx",
    "SELECT dx, COUNT(*) FROM visits WHERE NOT urgent GROUP BY dx",
    "SELECT urgent, COUNT(*) FROM visits GROUP BY urgent",
    "SELECT los_days, COUNT(*) FROM visits GROUP BY los_days",
    "SELECT COALESCE(dept, 'A') AS d, COUNT(*) FROM visits GROUP BY d",
    "SELECT dept = 'A' AS a, COUNT(*) FROM visits GROUP BY a",
    "SELECT YEAR(admitted_on) AS y, COUNT(*) FROM visits GROUP BY y",
    "SELECT CASE WHEN los_days < 2 THEN 'short' WHEN los_days < 9 THEN 'mid' ELSE 'long' END AS b, COUNT(*) "
    "FROM visits GROUP BY b",
    "SELECT SUM(fee) FROM visits",
    "SELECT dept, SUM(change) FROM visits GROUP BY dept",
    "SELECT dx, urgent, SUM(change) FROM visits WHERE los_days IN (1, 60) GROUP BY dx, urgent",
    "SELECT ward, SUM(-los_days), SUM(ABS(change)) FROM visits GROUP BY ward",
    "SELECT dept, SUM(CASE WHEN urgent THEN change ELSE 0 END) FROM visits GROUP BY dept",
    "SELECT SUM(CASE WHEN urgent THEN los_days END) FROM visits",
    "SELECT dept, SUM(COALESCE(los_days, 0)) FROM visits GROUP BY dept",
    "SELECT dept, SUM(COALESCE(los_days, 50)) FROM visits GROUP BY dept",
    "SELECT dept, SUM(los_days + 1) FROM visits GROUP BY dept",
    "SELECT SUM(los_days * los_days) FROM visits",
    "SELECT SUM(LEAST(GREATEST(los_days, 2), 5)) FROM visits",
    "SELECT dept, SUM(los_days - change * 2.5) FROM visits GROUP BY dept",
    "SELECT dept, SUM(CASE WHEN urgent THEN 7 ELSE change END) FROM visits GROUP BY dept",
    "SELECT dept, AVG(los_days) FROM visits GROUP BY dept",
    "SELECT AVG(change), AVG(fee) FROM visits",
    "SELECT urgent, AVG(los_days * 2 + change) FROM visits WHERE dept IS NOT NULL GROUP BY urgent",
    "SELECT COUNT(DISTINCT patient_id) FROM visits",
    "SELECT dept, COUNT(DISTINCT patient_id) FROM visits GROUP BY dept",
    "SELECT dx, COUNT(DISTINCT patient_id) FROM visits GROUP BY dx",
    "SELECT dept, COUNT(DISTINCT patient_id) FROM visits WHERE urgent GROUP BY dept",
    "SELECT ward, COUNT(DISTINCT patient_id) FROM visits GROUP BY ward",
    "SELECT urgent, COUNT(DISTINCT patient_id) FROM visits GROUP BY urgent",
    "SELECT dept IN ('A', 'B') AS ab, COUNT(DISTINCT patient_id) FROM visits GROUP BY ab",
    "SELECT p.sex, COUNT(*) FROM visits v JOIN patients p USING (patient_id) GROUP BY p.sex",
    "SELECT p.sex, v.dept, COUNT(*), AVG(p.age) FROM visits v JOIN patients p USING (patient_id) GROUP BY p.sex, v.dept",
    "SELECT p.sex, COUNT(DISTINCT v.patient_id) FROM visits v LEFT JOIN patients p USING (patient_id) GROUP BY p.sex",
    "SELECT p.sex, v.dept, COUNT(DISTINCT v.patient_id) FROM visits v JOIN patients p USING (patient_id) GROUP BY 1, 2",
    "SELECT SUM(p.age) FROM patients p JOIN visits v ON v.patient_id = p.patient_id",
    "SELECT v.dept, COUNT(*) FROM diagnoses d JOIN visits v USING (visit_id) GROUP BY v.dept",
    "SELECT d.code, v.dept, COUNT(*) FROM diagnoses d JOIN visits v USING (visit_id) GROUP BY d.code, v.dept",
    "SELECT d.code, SUM(v.los_days) FROM diagnoses d JOIN visits v USING (visit_id) GROUP BY d.code",
    "SELECT v.dept, COUNT(DISTINCT d.patient_id) FROM diagnoses d JOIN visits v USING (visit_id) GROUP BY v.dept",
    "SELECT p.smoker, AVG(d.rank) FROM diagnoses d JOIN visits v USING (visit_id) "
    "JOIN patients p ON v.patient_id = p.patient_id GROUP BY p.smoker",
    "SELECT sex, COUNT(*), AVG(age), SUM(age), SUM(balance) FROM patients GROUP BY sex",
    "SELECT COUNT(DISTINCT patient_id), AVG(balance) FROM patients WHERE age BETWEEN 1 AND 89",
    "SELECT smoker, COUNT(*) AS n FROM patients WHERE sex <> 'F' OR sex IS NULL GROUP BY smoker ORDER BY n DESC LIMIT 2",
    "SELECT dept, VAR_POP(los_days), STDDEV_SAMP(change), COUNT(*) FROM visits GROUP BY dept",
    "SELECT STDDEV_POP(fee), VAR_SAMP(fee), COUNT(*) FROM visits WHERE urgent",
    "SELECT VAR_POP(balance), COUNT(*) FROM patients",
    "SELECT urgent, COUNT(*), CORR(los_days, change) FROM visits GROUP BY urgent",
    "SELECT p.sex, COVAR_POP(v.los_days, p.age), COVAR_SAMP(v.fee, v.change), COUNT(*) "
    "FROM visits v JOIN patients p USING (patient_id) GROUP BY p.sex",
    *WITHIN,
    "SELECT MEDIAN(los_days), COUNT(*) FROM visits",
    "SELECT dept, MEDIAN(los_days), QUANTILE_CONT(change, 0.9), COUNT(*) FROM visits GROUP BY dept",
    "SELECT p.sex, QUANTILE_CONT(v.fee, 0.25), COUNT(*) FROM visits v JOIN patients p USING (patient_id) GROUP BY p.sex",
    "SELECT dept, QUANTILE_CONT(los_days, 0.25) AS q1, MEDIAN(los_days) AS q2, QUANTILE_CONT(los_days, 0.75) AS q3, "
    "COUNT(*) FROM visits WHERE urgent GROUP BY dept",
    "SELECT PERCENTILE_CONT(0.1) WITHIN GROUP (ORDER BY age), COUNT(*) FROM patients",
    "SELECT HISTOGRAM(los_days, 7) AS b, COUNT(*) FROM visits GROUP BY b",
    "SELECT dept, HISTOGRAM(change, [-3, 0, 2.5]) AS b, COUNT(*), AVG(fee) FROM visits GROUP BY dept, b",
    "SELECT VAR_POP(n), MEDIAN(n), COUNT(*) FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id)",
    "SELECT v.dept, STDDEV_SAMP(v.los_days), COUNT(*) FROM visits v JOIN diagnoses d USING (patient_id) GROUP BY v.dept",
    "SELECT MEDIAN(v.los_days), CORR(v.los_days, d.rank), COUNT(*) FROM visits v JOIN diagnoses d USING (patient_id)",
    "SELECT v.dept, QUANTILE_CONT(v.change, 0.1) AS a, MEDIAN(v.change) AS b, COUNT(*) FROM visits v "
    "JOIN diagnoses d USING (patient_id) GROUP BY v.dept",
    "SELECT SSCP(balance, age, sex, smoker) FROM patients",
    "SELECT urgent, SSCP(los_days, change) FROM visits GROUP BY urgent",
    "SELECT dept, SSCP(v.fee, p.age, p.sex, v.dx) FROM visits v JOIN patients p USING (patient_id) GROUP BY dept",
    "SELECT SSCP(n, sex, age) FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY 1) "
    "JOIN patients USING (patient_id)",
    "SELECT v.dept, SSCP(v.los_days, d.rank, d.code) FROM visits v JOIN diagnoses d USING (patient_id) GROUP BY v.dept",
    "SELECT QUARTER(admitted_on) AS q, COUNT(*), COUNT(DISTINCT patient_id) FILTER (WHERE urgent) FROM visits GROUP BY q",
    "SELECT dept, COUNT(DISTINCT CASE WHEN urgent THEN patient_id END), COUNT(DISTINCT patient_id) FROM visits "
    "GROUP BY dept",
    "SELECT LEFT(ward, 1) AS w, FLOOR(los_days / 10) AS tens, COUNT_IF(dx LIKE 'E%' OR STARTS_WITH(dx, 'I')) FROM visits "
    "GROUP BY 1, 2",
    "SELECT dept, SUM(ROUND(change / 4, 1)), AVG(admitted_on - DATE '2023-01-01'), SUM(NULLIF(los_days, 7) % 5) "
    "FROM visits GROUP BY dept",
    "SELECT division, COUNT(*), SUM(los_days) FROM visits JOIN departments USING (dept) GROUP BY division",
    "SELECT d.division, p.sex, COUNT(DISTINCT v.patient_id), AVG(d.beds) FROM visits v LEFT JOIN departments d ON "
    "d.dept = v.dept JOIN patients p USING (patient_id) GROUP BY 1, 2",
    "SELECT f.floor, COUNT(*) FROM visits v JOIN departments d ON v.dept = d.dept JOIN divisions f USING (division) "
    "WHERE d.beds > 9 GROUP BY f.floor",
    "SELECT AVG(n) FROM (SELECT patient_id, COUNT(*) AS n FROM visits JOIN departments USING (dept) WHERE division = "
    "'medical' GROUP BY patient_id)",
    "SELECT finding, COUNT(DISTINCT patient_id) FROM visits GROUP BY finding",
    "SELECT finding, COUNT(*), SUM(change) FROM visits WHERE urgent GROUP BY finding",
    "SELECT p.sex, v.finding, COUNT(DISTINCT v.patient_id), AVG(v.los_days) FROM visits v "
    "JOIN patients p USING (patient_id) GROUP BY 1, 2",
    "SELECT v.finding, d.rank, COUNT(DISTINCT d.patient_id), COUNT(*) FROM diagnoses d JOIN visits v USING (visit_id) "
    "WHERE v.finding <> 'I10.100' GROUP BY 1, 2",
    "SELECT finding = 'I10.100' OR finding IN ('E11.200', 'x') AS of_interest, COUNT(*) FROM visits GROUP BY of_interest",
    "SELECT STDDEV(los_days) FILTER (WHERE urgent), MEDIAN(los_days) FILTER (WHERE dept = 'A'), COUNT(*) FROM visits",
)

VALUES = (
    "SELECT COUNT(DISTINCT dx) FROM visits",
    "SELECT COUNT(DISTINCT dept), COUNT(DISTINCT dx) FROM visits WHERE urgent OR los_days > 1",
    "SELECT p.sex, COUNT(DISTINCT v.dx) FROM visits v JOIN patients p USING (patient_id) GROUP BY p.sex",
    "SELECT dept, COUNT(DISTINCT dx) FROM visits GROUP BY dept",
    "SELECT urgent, COUNT(DISTINCT visit_id), COUNT(DISTINCT los_days) FROM visits GROUP BY urgent",
    "SELECT COUNT(DISTINCT YEAR(admitted_on)) FROM visits",
    "SELECT COUNT(DISTINCT age) FROM patients",
    "SELECT COUNT(DISTINCT finding) FROM visits WHERE finding <> 'I10.100'",
)
"""Distinct values: what a person adds depends on who else has them, so totals are no sums over persons."""
