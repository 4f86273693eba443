import os
import ssl

task_default_queue_type = "quorum"  # where there are three nodes and more; a single node has "classic"
# Only with TLS. Without RABBITMQ_CA_FILE the authority must be one that the image knows.
broker_use_ssl = {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": os.environ.get("RABBITMQ_CA_FILE")}
