"""The run-time type checker that jaxtyping's import hook applies to bnlib in the tests."""

from beartype import BeartypeConf, beartype

#: An int may stand for a float, as PEP 484 says.
checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
