"""The eight categories of PLOT4ai's second edition take the place of those of the first."""

from django.db import migrations

NEW_OF_OLD = {
    "Technique and processes": "Data and data governance",
    "Accessibility": "Transparency and accessibility",
    "Unawareness": "Transparency and accessibility",
    "Identifiability and linkability": "Privacy and data protection",
    "Security": "Cybersecurity",
    "Safety": "Safety and environmental impact",
    "Non-compliance": "Accountability and human oversight",
}
# Back again, what has no counterpart goes to the nearest.
OLD_OF_NEW = {
    "Data and data governance": "Technique and processes",
    "Transparency and accessibility": "Accessibility",
    "Privacy and data protection": "Identifiability and linkability",
    "Cybersecurity": "Security",
    "Safety and environmental impact": "Safety",
    "Bias, fairness and discrimination": "Ethics and human rights",
    "Accountability and human oversight": "Non-compliance",
}
OF_PLOT4AI = "threat_model_id IN (SELECT id FROM threat_models WHERE threat_model_framework = 'PLOT4ai')"


def renamed(names: dict[str, str]) -> str:
    """Where two become one, the decision that was made first stays."""
    cases = " ".join(f"WHEN '{old}' THEN '{new}'" for old, new in names.items())
    old = ", ".join(f"'{name}'" for name in names)
    named = f"CASE category {cases} ELSE category END"
    return f"""
UPDATE threats SET threat_type = CASE threat_type {cases} END
WHERE threat_type IN ({old}) AND {OF_PLOT4AI};
DELETE FROM suggestion_decisions WHERE id IN (
  SELECT id FROM (
    SELECT id, row_number() OVER (PARTITION BY diagram_id, cell_id, rule_id, {named} ORDER BY id) AS place
    FROM suggestion_decisions WHERE {OF_PLOT4AI}
  ) AS numbered WHERE place > 1
);
UPDATE suggestion_decisions SET category = {named}
WHERE category IN ({old}) AND {OF_PLOT4AI};
"""


class Migration(migrations.Migration):
    dependencies = [("threatmodels", "0007_row_level_security")]

    operations = [migrations.RunSQL(renamed(NEW_OF_OLD), renamed(OLD_OF_NEW))]
