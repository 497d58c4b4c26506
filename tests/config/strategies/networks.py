"""Networks and their initializers, and the config of `gradcheck`."""

from hypothesis import strategies as st

from dnnexp.config.schema import read
from dnnexp.config.shapes import hints
from dnnexp.core.activations import Activation
from dnnexp.core.faults import LayerFault
from dnnexp.core.initializers import Critical, LayerInitializer, Normal, Uniform
from dnnexp.core.network import Network
from dnnexp.experiments.gradcheck.config import METHODS, CheckedNetwork, GradcheckConfig, StepSweep
from dnnexp.registry import parts
from tests.config.strategies.hints import Tree, Trees, hinted, part_trees, rule, trees


@rule(Normal)
def one_scale(cls: type, every: bool) -> Trees:
    """Not even `every` can mean both."""
    scales = {"std", "variance"}

    def with_one(scale: str) -> Trees:
        made = trees(hints(cls)[scale]).filter(lambda value: value is not None)
        return hinted(cls, every, {scale: made}, asked={scale}, left=scales - {scale})

    return st.sampled_from(sorted(scales)).flatmap(with_one)


@rule(Uniform)
def interval(cls: type, every: bool) -> Trees:
    def below(high: float) -> Trees:
        low = trees(hints(cls)["low"]).filter(lambda low: low < high)
        return hinted(cls, every, {"low": low, "high": st.just(high)}, asked={"low", "high"})

    return trees(hints(cls)["high"]).filter(lambda high: high > -1e300).flatmap(below)


@rule(Critical)
def alone(cls: type, every: bool) -> Trees:
    """With a q*, it needs biases of the same: see `suited_initializers`."""
    return hinted(cls, every, {"q_star": st.none()})


@rule(LayerInitializer)
def of_any_activation(cls: type, every: bool) -> Trees:
    """Initializers that every activation and every shape can take."""
    plain = [part for part in parts("initializer").values() if not part.needs_activation]
    weights = st.one_of([part_trees(part) for part in plain])
    biases = st.one_of([part_trees(part) for part in plain if not part.only_matrices])
    return hinted(cls, every, {"weights": weights, "biases": biases})


def suited_initializers(network: Network) -> Trees:
    """Initializers that every layer of the network can take."""

    def is_suited(tree: Tree) -> bool:
        initializer, errors = read(LayerInitializer, tree)
        assert errors == []
        return initializer is not None and not network.complaints(initializer)

    pairs = st.floats(-2, 2).map(lambda x: {"name": Critical.name, "q_star": 10**x})
    small = st.floats(0, 1).map(lambda variance: {"name": Normal.name, "variance": variance})
    critical = [
        pairs.map(lambda tree: {"weights": tree, "biases": tree}),
        st.fixed_dictionaries({"weights": part_trees(Critical), "biases": st.just("zeros") | small}),
    ]
    plain = trees(LayerInitializer)
    return st.one_of(plain, *critical).flatmap(lambda tree: st.just(tree) if is_suited(tree) else plain)


@rule(CheckedNetwork)
def one_activation_each(cls: type, every: bool) -> Trees:
    def network(layers: list[int]) -> Trees:
        size = len(layers) - 1
        listed = st.lists(trees(Activation), min_size=size, max_size=size)
        return hinted(cls, every, {"layers": st.just(layers), "activation": trees(Activation) | listed})

    return trees(hints(cls)["layers"]).flatmap(network)


@rule(StepSweep)
def ordered(cls: type, every: bool) -> Trees:
    def around(middle: float) -> Trees:
        ends = {
            "low": trees(hints(cls)["low"]).filter(lambda low: low < middle),
            "high": trees(hints(cls)["high"]).filter(lambda high: high >= middle),
        }
        return hinted(cls, every, ends, asked=ends)

    return st.floats(1e-20, 1e-3).flatmap(around)


@rule(LayerFault)
def in_a_square_layer(cls: type, every: bool) -> Trees:
    """The second of a network."""
    return hinted(cls, every, {"layer": st.just(2)})


@rule(GradcheckConfig)
def checked(cls: type, every: bool) -> Trees:
    """Distinct methods, an initializer that suits the network, a target that needs no plugin."""
    known = [part for name, part in parts("target").items() if name != "function"]

    def config(tree: Tree) -> Trees:
        network, _ = read(CheckedNetwork, tree)
        assert network is not None
        instead = {
            "network": st.just(tree),
            "initializer": suited_initializers(network.build()),
            "methods": st.lists(st.sampled_from(METHODS), min_size=2, unique=True),
            "inject": st.none(),
            "target": st.one_of([part_trees(part) for part in known]),
            "fraction": st.just(1.0),
            "directions": st.none(),
            "hessian_directions": st.just(0),
            "memory": st.floats(1e3, 1e6),
        }
        return hinted(cls, every, instead, asked={"network"}).map(as_the_target_allows)

    return trees(CheckedNetwork).flatmap(config)


def as_the_target_allows(tree: Tree) -> Tree:
    """Without what only networks have."""
    target = tree.get("target", "network")
    if target == "network" or (isinstance(target, dict) and target["name"] == "network"):
        return tree
    of_networks = {"network", "initializer", "loss", "batch", "methods", "directions"}
    of_networks |= {"adjoint_directions", "hessian_directions"}
    return {key: value for key, value in tree.items() if key not in of_networks}
