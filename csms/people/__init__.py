"""How people come in: allauth's pages and API with our rules, invitations, mail."""
