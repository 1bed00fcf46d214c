"""Lists as a person likes to look at them."""

from django.db import models

from accounts.models.user import User


class SavedView(models.Model):
    """A list with its filters, its order and its columns, under a name. `page` is the name of the list's address."""

    user = models.ForeignKey(User, models.CASCADE, related_name="views")
    page = models.CharField(max_length=20)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True, help_text="As it stands in the address.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="savedview_user_page_name")]

    def __str__(self) -> str:
        return self.name
