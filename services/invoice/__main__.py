"""`python -m services.invoice api | worker | migrate | parked ... | replay`."""

from services.invoice.app import main

if __name__ == "__main__":
    main()
