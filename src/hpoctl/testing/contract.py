"""What a contract suite says when a contract is broken."""


class ContractError(AssertionError):
    """A contract is broken; the message says which and how."""


def require(condition: object, message: str) -> None:
    """Raise ContractError with the message, unless the condition holds."""
    if not condition:
        raise ContractError(message)
