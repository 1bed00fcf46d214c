from django.apps import AppConfig


class CsmsConfig(AppConfig):
    name = "csms"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from csms import checks, jobs, ports  # noqa: F401  (registers the deployment checks)
        from csms.people import secondfactor

        ports.fill()
        jobs.listen()
        secondfactor.listen()
