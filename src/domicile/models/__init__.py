"""What does a noisy answer say about a model?

A question of a model (`question`) is one SELECT, asked and paid like any other. What is made of its answer is free:
`linear`, `surviving` and `tabulated` hold what a researcher reads, the modules beside them the statistics. They need
pandas and are loaded when a model is asked for, not before.
"""

from domicile.models.question import Crosstab, LinearRegression, Question, Survival, Unclear

__all__ = ["Crosstab", "LinearRegression", "Question", "Survival", "Unclear"]
