"""`python -m services.reporting api | worker | migrate | parked ... | replay | rebuild | seal`."""

from services.reporting.app import main

if __name__ == "__main__":
    main()
