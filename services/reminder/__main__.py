"""`python -m services.reminder api | worker | migrate | parked ... | replay`."""

from services.reminder.app import main

if __name__ == "__main__":
    main()
