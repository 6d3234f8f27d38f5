"""Demo data: an invented district, its people, and cases walked through the real service at past dates."""

from siquan.core.demo.load import DemoAccount, demo_accounts, load_demo

__all__ = ["DemoAccount", "demo_accounts", "load_demo"]
