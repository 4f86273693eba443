import os
import pathlib
import threading

from celery import Celery, bootsteps

app = Celery("ingestion")
app.config_from_object("settings")  # what the broker needs
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
)


class Heartbeat(bootsteps.StartStopStep):
    """Touches the file from the main loop; while there is no broker, and so no loop, from a thread."""

    requires = {"celery.worker.consumer.connection:Connection"}
    seconds = 15

    def __init__(self, consumer, **kwargs):
        super().__init__(consumer, **kwargs)
        self.file = pathlib.Path(os.environ["WORKER_HEARTBEAT_FILE"])
        self.entry = None
        self.wait_for_broker()

    def wait_for_broker(self):
        connected = self.connected = threading.Event()

        def beat():
            self.file.touch()
            while not connected.wait(self.seconds):
                self.file.touch()

        threading.Thread(target=beat, daemon=True).start()

    # Celery starts the steps of the consumer after each connection, and stops them when it is lost.
    def start(self, consumer):
        self.connected.set()
        self.file.touch()
        self.entry = consumer.timer.call_repeatedly(self.seconds, self.file.touch, priority=10)

    def stop(self, consumer):
        if self.entry is not None:
            self.entry.cancel()
            self.entry = None
            self.wait_for_broker()


app.steps["consumer"].add(Heartbeat)
