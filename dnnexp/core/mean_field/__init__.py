"""Mean-field theory of signal propagation: the effect of wide layers on signals and gradients.

Weights are W ~ N(0, σ_w² / fan_in) and biases b ~ N(0, σ_b²). Forward: the variance q of pre-activations and
the correlation c of two inputs, layer by layer and in the limit. Backward: χ₁, the factor of a layer on
squared gradients. At the critical variances, signals and gradients keep their size.

Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010;
He et al., "Delving deep into rectifiers", ICCV 2015; Poole et al., "Exponential expressivity in deep neural
networks through transient chaos", NIPS 2016; Schoenholz et al., "Deep information propagation", ICLR 2017.
"""

from dnnexp.core.mean_field.averages import output_mean, output_std, saturated_probability, square
from dnnexp.core.mean_field.correlation import correlation_map, fixed_correlation, layer_correlations
from dnnexp.core.mean_field.critical import (
    CriticalLine,
    CriticalPoint,
    PhaseDiagram,
    critical_at_bias,
    critical_at_variance,
    critical_line,
    phase_diagram,
)
from dnnexp.core.mean_field.finite_width import output_norm_variance, pre_activation_norm_variance
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
