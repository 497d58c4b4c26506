"""Mean-field theory of signal propagation: what wide layers do to a signal, by activation and initialization.

Weights are W ~ N(0, σ_w² / fan_in) and biases b ~ N(0, σ_b²). Forward: the variance q of pre-activations and
the correlation c of two inputs, layer by layer and in the limit; backward: χ₁, by which a layer multiplies
squared gradients; the critical variances, at which both keep their size.

Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010;
He et al., "Delving deep into rectifiers", ICCV 2015; Poole et al., "Exponential expressivity in deep neural
networks through transient chaos", NIPS 2016; Schoenholz et al., "Deep information propagation", ICLR 2017.
"""

from dnnexp.core.mean_field.averages import output_mean, output_std, saturated_probability, square
from dnnexp.core.mean_field.correlation import correlation_map, fixed_correlation, layer_correlations
from dnnexp.core.mean_field.critical import (
    CriticalLine,
    CriticalPoint,
    critical_at_bias,
    critical_at_variance,
    critical_line,
)
from dnnexp.core.mean_field.finite_width import output_norm_variance, pre_activation_norm_variance
from dnnexp.core.mean_field.phase import PhaseDiagram, phase_diagram
from dnnexp.core.mean_field.propagation import Limit, Propagation, gradient_growth, limit, propagation
from dnnexp.core.mean_field.variance import (
    chi_1,
    chi_parallel,
    depth_scale,
    fixed_variance,
    layer_variances,
    variance_map,
)

__all__ = [
    "CriticalLine",
    "CriticalPoint",
    "Limit",
    "PhaseDiagram",
    "Propagation",
    "chi_1",
    "chi_parallel",
    "correlation_map",
    "critical_at_bias",
    "critical_at_variance",
    "critical_line",
    "depth_scale",
    "fixed_correlation",
    "fixed_variance",
    "gradient_growth",
    "layer_correlations",
    "layer_variances",
    "limit",
    "output_mean",
    "output_norm_variance",
    "output_std",
    "phase_diagram",
    "pre_activation_norm_variance",
    "propagation",
    "saturated_probability",
    "square",
    "variance_map",
]
