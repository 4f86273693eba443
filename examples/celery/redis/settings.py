import os

broker_transport_options = {
    # Redis hands a task that is not acknowledged by then to another worker.
    # Only workers have LONGEST_TASK_SECONDS; whoever sends tasks does not need it.
    "visibility_timeout": int(os.environ.get("LONGEST_TASK_SECONDS", "600")) + 300,
}
