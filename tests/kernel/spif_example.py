"""A SPIF of a policy that nobody has, after the public schema (xmlspif.org)."""

SPIF = """\
<?xml version="1.0" encoding="UTF-8"?>
<spif:SPIF xmlns:spif="http://www.xmlspif.org/spif" schemaVersion="2.1" version="3" creationDate="2026-01-15 09:00:00"
    originatorDN="o=Example" keyIdentifier="" privilegeId="2.16.840.1.101.2.1.8.3" rbacId="2.16.840.1.101.2.1.8.3">
  <spif:securityPolicyId name="EXAMPLE" id="2.25.283505922519774543341581604402970826256"/>
  <spif:securityClassifications>
    <spif:securityClassification name="CLOSED" lacv="4" hierarchy="40" color="red">
      <spif:markingData phrase="CLOSED"/>
      <spif:markingData phrase="(CL)"><spif:code>portionMarking</spif:code></spif:markingData>
      <spif:equivalentClassification policyRef="US" lacv="4" applied="encrypt"/>
    </spif:securityClassification>
    <spif:securityClassification name="OPEN" lacv="1" hierarchy="10"/>
    <spif:securityClassification name="GUARDED" lacv="3" hierarchy="30" obsolete="true"/>
    <spif:securityClassification name="INTERNAL" lacv="2" hierarchy="20"/>
  </spif:securityClassifications>
  <spif:securityCategoryTagSets>
    <spif:securityCategoryTagSet name="Handling" id="2.25.283505922519774543341581604402970826256.1">
      <spif:securityCategoryTag name="Special Handling" tagType="restrictive">
        <spif:tagCategory name="ALPHA" lacv="1">
          <spif:excludedClass>OPEN</spif:excludedClass>
        </spif:tagCategory>
        <spif:tagCategory name="BRAVO" lacv="2">
          <spif:requiredCategory operation="onlyOne">
            <spif:categoryGroup tagSetRef="Special Handling" tagType="restrictive" lacv="1"/>
          </spif:requiredCategory>
        </spif:tagCategory>
      </spif:securityCategoryTag>
      <spif:securityCategoryTag name="Team" tagType="enumerated" enumType="permissive">
        <spif:tagCategory name="NORTH" lacv="1"/><spif:tagCategory name="SOUTH" lacv="2"/>
      </spif:securityCategoryTag>
      <spif:securityCategoryTag name="Administrative" tagType="tagType7" tag7Encoding="bitSetAttributes">
        <spif:tagCategory name="STAFF" lacv="1"/>
      </spif:securityCategoryTag>
      <spif:securityCategoryTag name="Releasable To" tagType="enumerated" enumType="permissive">
        <spif:tagCategory name="AUS" lacv="36"/><spif:tagCategory name="XAA" lacv="900"/>
      </spif:securityCategoryTag>
    </spif:securityCategoryTagSet>
  </spif:securityCategoryTagSets>
  <spif:equivalentPolicies><spif:equivalentPolicy name="US" id="2.16.840.1.101.2.1.3.10"/></spif:equivalentPolicies>
</spif:SPIF>
"""
