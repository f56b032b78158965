"""The way of the system that ValMed succeeds: SQLAlchemy's object mapper, a pool of 20 and 10 more, REPEATABLE READ, the
order and its stock read with FOR UPDATE, and the whole again after a serialization failure.

predecessor.py URL SECONDS prints: orders/s p50_ms p99_ms retries_per_order
"""

import random
import sys
import threading
import time
import uuid

from sqlalchemy import create_engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import Session

CALLERS = 30
AGAIN = {"40001", "40P01"}

url, seconds = sys.argv[1], float(sys.argv[2])
engine = create_engine(
    url, isolation_level="REPEATABLE READ", pool_size=20, max_overflow=10, pool_recycle=1800, pool_pre_ping=True
)
tables = automap_base()
tables.prepare(autoload_with=engine)
Order, Stock = tables.classes.orders, tables.classes.stock
Administration, Ledger = tables.classes.administrations, tables.classes.ledger


def give(number, nurse):
    op = uuid.uuid4()
    with Session(engine, expire_on_commit=False) as session, session.begin():
        order = session.scalars(select(Order).where(Order.id == number).with_for_update()).first()
        if order is None or order.status != "active":
            return
        stock = session.scalars(select(Stock).where(Stock.id == order.drug_id).with_for_update()).first()
        if stock.current_stock < order.dosage:
            return
        stock.current_stock -= order.dosage
        order.status = "completed"
        session.add(Administration(id=uuid.uuid4(), op_id=op, order_id=number, nurse_id=nurse, quantity=order.dosage))
        session.add(Ledger(drug_id=stock.id, op_id=op, delta=-order.dosage, balance=stock.current_stock))


lock, waits, retries, number = threading.Lock(), [], 0, -1


def shift(nurse, end):
    global number, retries
    mine, again = [], 0
    while time.monotonic() < end:
        with lock:
            number += 1
            wanted = number
        began, tries = time.monotonic(), 0
        while True:
            try:
                give(wanted, nurse)
                break
            except OperationalError as error:
                if getattr(error.orig, "pgcode", None) not in AGAIN:
                    raise
                again, tries = again + 1, tries + 1
                time.sleep(random.random() * min(0.05, 0.001 * 2**tries))
        mine.append(time.monotonic() - began)
    with lock:
        waits.extend(mine)
        retries += again


began = time.monotonic()
nurses = [threading.Thread(target=shift, args=(nurse, began + seconds)) for nurse in range(CALLERS)]
for nurse in nurses:
    nurse.start()
for nurse in nurses:
    nurse.join()
took = time.monotonic() - began
waits.sort()
at = [1000 * waits[min(len(waits) - 1, len(waits) * part // 100)] for part in (50, 99)]
print(f"{len(waits) / took:.0f} {at[0]:.1f} {at[1]:.1f} {retries / len(waits):.2f}")
