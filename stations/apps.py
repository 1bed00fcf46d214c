from django.apps import AppConfig


class StationsConfig(AppConfig):
    name = "stations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import imports
        from stations import outbox
        from stations.services import firmwareprogress, heldcolumns, rollouts

        imports.further = heldcolumns
        outbox.subscribe(firmwareprogress.ENDED, rollouts.SUBSCRIBER)
