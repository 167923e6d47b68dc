"""One thread for what a test computes itself, as its workers have."""

import pytest


@pytest.fixture(scope="module")
def one_thread():
    """Limit BLAS and torch, and give them back what they had."""
    # What brings a BLAS of its own is to be there before it is limited, or the limit of a worker would stay.
    import scipy.linalg  # noqa: F401
    import sklearn.linear_model  # noqa: F401
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    with threadpool_limits(1):
        torch.set_num_threads(1)
        yield
    torch.set_num_threads(before)
