from django.apps import AppConfig


class CsmsConfig(AppConfig):
    name = "csms"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate, pre_migrate

        from csms import checks, db, jobs, ports, shipped  # noqa: F401  (registers the deployment checks)
        from csms.people import secondfactor

        ports.fill()
        jobs.listen()
        secondfactor.listen()
        pre_migrate.connect(db.let_migrations_think, sender=self)
        post_migrate.connect(shipped.sync, sender=self)
        post_migrate.connect(db.migrated, sender=self)
