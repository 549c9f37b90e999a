"""`python -m services.credit api | worker | migrate | parked ... | replay`."""

from services.credit.app import main

if __name__ == "__main__":
    main()
