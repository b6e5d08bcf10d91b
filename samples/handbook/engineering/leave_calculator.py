"""Works out how much annual leave somebody has; the staff portal uses the same rules.

See the leave policy for the rules themselves: 30 days for full-time employees, in proportion for part-time,
two and a half days for each full month in the year of joining, at most five days carried over until 31 March.
"""

from datetime import date

FULL_TIME_DAYS = 30
FULL_TIME_WEEK = 5
MONTHLY_DAYS = 2.5
CARRY_OVER_LIMIT = 5


def entitlement(days_a_week: int, *, joined: date | None = None, year: int) -> float:
    """Leave days earned in a year; half days are kept, nothing is rounded against the employee."""
    share = days_a_week / FULL_TIME_WEEK
    if joined is None or joined.year < year:
        return FULL_TIME_DAYS * share
    full_months = 12 - joined.month + (1 if joined.day == 1 else 0)
    return full_months * MONTHLY_DAYS * share


def carried_over(unused: float, *, today: date) -> float:
    """Days of last year that may still be taken; they lapse on 31 March."""
    if today > date(today.year, 3, 31):
        return 0
    return min(unused, CARRY_OVER_LIMIT)


if __name__ == "__main__":
    print("Three days a week:", entitlement(3, year=2026), "days")
    print("Joined on 1 September:", entitlement(5, joined=date(2026, 9, 1), year=2026), "days")
