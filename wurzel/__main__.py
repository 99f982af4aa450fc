"""`python -m wurzel` is the `wurzel` command."""

from wurzel.cli import main

if __name__ == "__main__":
    main()
