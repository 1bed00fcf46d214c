from django.apps import AppConfig


class StationsConfig(AppConfig):
    name = "stations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from stations import outbox
        from stations.services import firmwareprogress, rollouts

        outbox.subscribe(firmwareprogress.ENDED, rollouts.SUBSCRIBER)
