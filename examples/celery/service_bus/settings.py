import os

# Otherwise tasks go to a queue named "celery", while KEDA counts in this one.
task_default_queue = os.environ["SERVICEBUS_QUEUE_NAME"]
broker_transport_options = {
    # A lock lasts five minutes at most unless the worker renews it (Kombu 5.7 or later).
    "use_lock_renewal": True,
    # Only workers have LONGEST_TASK_SECONDS; programs that send tasks do not need it.
    "max_lock_renewal_duration": int(os.environ.get("LONGEST_TASK_SECONDS", "600")) + 300,
}
if "SERVICEBUS_CONNECTION_STRING" in os.environ:
    fields = dict(field.split("=", 1) for field in os.environ["SERVICEBUS_CONNECTION_STRING"].split(";") if field)
    broker_url = "azureservicebus://{SharedAccessKeyName}:{SharedAccessKey}@{host}".format(
        host=os.environ["SERVICEBUS_FULLY_QUALIFIED_NAMESPACE"], **fields
    )
