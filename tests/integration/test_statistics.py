"""A notebook asks for statistics, and by accuracy: over the channel, priced, answered, spent, once."""

from __future__ import annotations

import pytest
from tests.integration.channels import broker, leased, spent
from tests.living import Living

from domicile.client.channel import Channel
from domicile.client.dataset import Dataset
from domicile.client.problem import ProblemError
from enclave.broker.channel import ask_for_channel, control_path

COUNT = "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept"


def test_a_notebook_asks_by_accuracy_and_for_quantiles(house: Living) -> None:
    job = leased(house)
    with broker(house):
        stream = ask_for_channel(
            control_path(house.settings.place), run=job.run, epoch=job.epoch, worker=job.worker or ""
        )
        stream.settimeout(60)
        with stream:
            hospital = Dataset("hospital", Channel(stream))
            quote = hospital.quote(COUNT, accuracy=60, confidence=0.95)
            answer = hospital.sql(COUNT, accuracy=60, confidence="0.95")
            shown = answer.frame()
            assert quote.rho == spent(house) > 0
            assert ((shown["n_high"] - shown["n"]) <= 60).all()
            assert ((shown["n_high"] - shown["n"]) > 59).all()
            assert hospital.sql(COUNT, accuracy=60).quote.reused, "0.95 unless said"
            with pytest.raises(ProblemError, match="promised"):
                hospital.sql("SELECT AVG(los_days) FROM visits", accuracy=1)
            with pytest.raises(ProblemError, match="not both"):
                hospital.quote(COUNT, epsilon=1, accuracy=60)
            several = hospital.sql(
                "SELECT MEDIAN(los_days) AS m, STDDEV(los_days) AS s, COUNT(DISTINCT dept) AS d FROM visits", epsilon=1
            )
            (row,) = several.frame().to_dict("records")
            assert row["m_low"] <= row["m"] <= row["m_high"]
            assert row["s_low"] <= row["s"] <= row["s_high"]
            assert {m.mechanism for m in several.quote.mechanisms} == {"exponential", "discrete_gaussian"}
            assert quote.rho + several.quote.rho == spent(house)
