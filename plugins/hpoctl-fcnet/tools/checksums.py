"""Write data/SHA256SUMS: what `hpoctl blackbox check` compares the packaged files with. Run it when one has changed."""

from hashlib import sha256
from pathlib import Path

DATA = Path(__file__).parent.parent / "src" / "hpoctl_fcnet" / "data"


def listing() -> str:
    """The lines of the file, as sha256sum writes them."""
    return "".join(f"{sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(DATA.glob("*.npz")))


if __name__ == "__main__":
    (DATA / "SHA256SUMS").write_text(listing())
