"""The data plane: bytes from clients to backends and back."""

from skerry.gateway.proxy.proxy import Proxy, offer_http2
from skerry.gateway.proxy.settings import Settings

__all__ = ["Proxy", "Settings", "offer_http2"]
