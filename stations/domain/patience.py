"""How long we wait for what a station still owes us, of a transaction above all, and why so long. Pure."""

from datetime import timedelta

#: A plug became free: its transaction's stop is on the way, before or after. Looked at only then, or every end would be a finding.
LOOK_SOON = timedelta(seconds=60)
#: After a return the plugs' states come first and the queue of an outage behind them, message by message.
FREE_GRACE = timedelta(minutes=15)
#: A station that booted tells at once that its transactions ended with it, or goes on to sample them, every 15 minutes.
BOOT_LOOK = timedelta(minutes=16)
BOOT_GRACE = timedelta(minutes=45)
#: Stations say something of a transaction every 15 minutes, or every hour by the clock; those that never do, when a car goes.
SILENT_AFTER = timedelta(hours=24)
#: Few cars stay plugged in for three days; a real stop that comes later still wins.
SILENT_GRACE = timedelta(hours=48)
#: A station that is away may bring the stop with its queue: nothing is given up before it was away for a week.
AWAY_PATIENCE = timedelta(days=7)

#: A station that has agreed to fetch, install or send something may do nothing yet for so long.
BEGINS_WITHIN = timedelta(minutes=5)

#: What is missing between events is usually on its way: asked after once it has been quiet for so long.
ASK_AFTER = timedelta(seconds=60)
#: Asked again after a minute, two, four, ... six hours: twelve times are a day and a half of a station that answers.
ASK_AGAIN, ASK_AGAIN_MOST, MOST_ASKS = timedelta(minutes=1), timedelta(hours=6), 12


def ask_again_in(asked: int) -> timedelta:
    """How long after being asked for the `asked`th time a station is asked again."""
    doubled: int = 2 ** min(asked, 20)
    return min(ASK_AGAIN * doubled, ASK_AGAIN_MOST)
