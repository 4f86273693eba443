import os

# Otherwise tasks go to a queue named "celery", while KEDA counts in this one.
task_default_queue = os.environ["SQS_QUEUE_NAME"]
broker_transport_options = {
    "region": os.environ["AWS_REGION"],
    # Otherwise Celery lists queues and creates its own. The visibility timeout is the queue's own: the option
    # visibility_timeout has no effect on predefined queues.
    "predefined_queues": {os.environ["SQS_QUEUE_NAME"]: {"url": os.environ["SQS_QUEUE_URL"]}},
}
