"""`python -m trifocal.cli`: the command without its script, as `torchrun -m trifocal.cli train ...` starts it."""

from trifocal.cli.app import main

if __name__ == "__main__":
    main()
