"""An installation: its data folder, database, plugins, service and jobs, put together."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from siquan.core.calendar import shipped
from siquan.core.jobs import Jobs, Run
from siquan.core.plugins import Catalogue, discover
from siquan.core.service import Siquan
from siquan.core.store import audit
from siquan.core.store.database import Store


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def new_id() -> str:
    return uuid.uuid4().hex


@dataclass
class Home:
    """Where one installation lives. `SIQUAN_HOME` is the folder (default `var/`), `SIQUAN_DATABASE_URL` the
    database (default an SQLite file in it), `SIQUAN_PLUGIN_DIRS` further plugin folders."""

    folder: Path
    url: str
    plugin_dirs: tuple[Path, ...] = ()
    clock: Callable[[], dt.datetime] = now

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> Home:
        folder = Path(environ.get("SIQUAN_HOME") or "var").resolve()
        url = environ.get("SIQUAN_DATABASE_URL") or f"sqlite:///{folder / 'siquan.db'}"
        dirs = tuple(Path(p) for p in environ.get("SIQUAN_PLUGIN_DIRS", "").split(os.pathsep) if p)
        return cls(folder, url, dirs)

    def catalogue(self) -> Catalogue:
        return discover(self.plugin_dirs)

    def exists(self) -> bool:
        """Whether there is an installation to ask; a database of another server is taken to be one."""
        return not self.url.startswith("sqlite") or (self.folder / "siquan.db").is_file()

    def store(self) -> Store:
        self.folder.mkdir(parents=True, exist_ok=True)
        store = Store(self.url, self.clock, new_id)
        with store.begin() as tx:
            known = tx.calendars.years()
            for year in shipped().values():
                if year.year not in known:
                    tx.calendars.publish(year.year, dict(year.holidays), year.workdays, year.source, "shipped")
        return store

    def service(self, catalogue: Catalogue | None = None) -> Siquan:
        service = Siquan(self.store(), catalogue or self.catalogue(), self.clock)
        service.new_baselines()
        return service


#: job -> cron in UTC: deadlines every minute, the daily root of the history soon after midnight in China
CRONS = (("sweep", "* * * * *"), ("seal", "5 16 * * *"))


def jobs_of(service: Siquan, folder: Path) -> Jobs:
    """The port with every job of the product registered; whoever enqueues needs the same registrations."""
    jobs = Jobs(service.app.store.engine)

    def sweep(run: Run, payload: Mapping[str, object]) -> None:
        # each deadline is settled in the transaction of its own act: running twice does nothing twice
        service.sweep()

    def seal(run: Run, payload: Mapping[str, object]) -> None:
        # a day's root stands on the day before: sealing again finds nothing left to seal
        audit.seal(service.app.store)

    jobs.register("sweep", sweep)
    jobs.register("seal", seal)
    service.attach(jobs, folder)
    return jobs
