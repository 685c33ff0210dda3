import pytest
from packaging.requirements import Requirement

from runner import doctor
from runner.doctor import examine


def found():
    return {finding.name: finding for finding in examine()}


def test_this_installation_is_well():
    findings = found()
    assert all(finding.ok for finding in findings.values())
    assert list(findings)[:3] == ["python", "libraries", "project"]


def test_a_library_that_does_not_fit_or_is_not_there_is_told_with_what_to_do(monkeypatch):
    asked = ["numpy>=1", "mlflow<1", "no-such-library>=2", 'other>=1; extra == "test"']
    monkeypatch.setattr("runner.doctor.requires", lambda name: asked)
    finding = found()["libraries"]
    assert not finding.ok
    assert 'where <1 is asked for; run: pip install "mlflow<1"' in finding.told
    assert 'no-such-library is not there; run: pip install "no-such-library>=2"' in finding.told
    assert "numpy" not in finding.told
    assert "other" not in finding.told


def test_a_python_that_is_too_old_is_told(monkeypatch):
    monkeypatch.setattr("runner.doctor.platform.python_version", lambda: "3.9.1")
    finding = found()["python"]
    assert not finding.ok
    assert finding.told.startswith("3.9.1, where >=3.11")


@pytest.mark.parametrize(("asked", "told"), [("numpy", ""), ("numpy<1", "numpy is ")])
def test_a_misfit_is_told(asked, told):
    assert doctor._misfit(Requirement(asked)).startswith(told)
