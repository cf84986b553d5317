"""The one place that every call which costs money passes: budgets, memory, cool-down.

What is spent stands in tables of the journal, so that all processes of all engines count together.
"""

from shared.paid.governor import Answer as Answer
from shared.paid.governor import Call as Call
from shared.paid.governor import Governor as Governor
from shared.paid.governor import NotBilled as NotBilled
from shared.paid.governor import Purchase as Purchase
from shared.paid.ledger import Refused as Refused
from shared.paid.ledger import amount as amount
