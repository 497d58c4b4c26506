"""dnnexp: an experiment runner for the fundamentals of deep networks."""

__version__ = "0.1.0"
