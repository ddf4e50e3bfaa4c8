from tests.products.run.conftest import cloud

__all__ = ["cloud"]
