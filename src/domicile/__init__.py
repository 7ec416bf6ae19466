"""Domicile, the researcher's side: ask private questions, declare outputs.

import domicile
hospital = domicile.open("hospital")
los = hospital.sql("SELECT dept, AVG(los_days) AS los FROM visits GROUP BY dept", epsilon=0.3)
domicile.output.chart(los, mark="bar", x="dept", y="los", title="Length of stay", context="…")
"""
