"""Stages in front of the estimator."""
