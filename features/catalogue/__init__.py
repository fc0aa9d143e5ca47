"""The built-in features, one module a subject; :func:`features.profile.specs_for` collects them.

To add a feature, add one line to the module of its subject.
"""

from features.catalogue import finance, growth, history, innovation, market, scale
from features.spec import FeatureSpec

__all__ = ["BUILT_IN"]

BUILT_IN: tuple[FeatureSpec, ...] = (
    *scale.FEATURES,
    *growth.FEATURES,
    *finance.FEATURES,
    *innovation.FEATURES,
    *market.FEATURES,
    *history.FEATURES,
)
