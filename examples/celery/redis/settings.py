import os

broker_transport_options = {
    # Redis hands a task that is not acknowledged by then to another worker.
    # Only workers have LONGEST_TASK_SECONDS; programs that send tasks do not need it.
    "visibility_timeout": int(os.environ.get("LONGEST_TASK_SECONDS", "600")) + 300,
}
